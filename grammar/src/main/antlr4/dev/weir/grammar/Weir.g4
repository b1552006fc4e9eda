/**
 * The grammar of Weir. It accepts a little more than the language: what a tree means is decided
 * behind it, where messages can speak in the user's names. Line breaks mean nothing; no statement
 * begins with a bracket, so none is needed to end one.
 */
grammar Weir;

module : importing* declaration* EOF ;

importing : 'import' path ('{' importedName (',' importedName)* ','? '}')? ;
importedName : name ('as' name)? ;
path : name ('.' name)* ;

declaration
    : blockDeclaration
    | modelDeclaration
    | derivedModel
    | functionDeclaration
    ;

blockDeclaration : 'block' name generics? settings? '{' member* '}' ;
modelDeclaration : 'model' name generics? settings? '{' member* '}' ;
derivedModel : 'model' name '=' path 'with' '{' transformation* '}' ;
transformation
    : precision                                        # formatsTransformation
    | 'drop' selector (',' selector)*                  # dropTransformation
    | 'replace' selector 'with' blockTerm              # replaceTransformation
    | name '=' expression                              # sizeTransformation
    ;

generics : '<' generic (',' generic)* ','? '>' ;
generic
    : name ':' blockKind ('=' blockTerm)?
    | name ('=' expression)?
    ;
blockKind
    : name '<' axis (',' axis)* '>'                    # simpleKind
    | name '(' formals? ')' '->' results               # signatureKind
    ;

settings : '(' (setting (',' setting)* ','?)? ')' ;
setting : name ':' settingType ('=' expression)? ;
settingType
    : 'fn' '(' formals? ')' '->' name                  # functionType
    | name                                             # valueType
    ;

member
    : 'where' expression                               # conditionMember
    | 'param' parameter (',' parameter)*               # parameterMember
    | 'state' stateItem (',' stateItem)*               # stateMember
    | precision                                        # precisionMember
    | name ':' blockList naming?                       # instanceMember
    | name '(' formals? ')' '->' results body          # methodMember
    ;

parameter
    : name ('[' (parameterAxis (',' parameterAxis)*)? ']')? (':' name)?
      ('init' literal | 'optional' literal?)? naming? ('=' expression)?
    ;
parameterAxis : (name ':')? axis ;
stateItem
    : name ('[' (axis (',' axis)*)? ']')? (':' name)? ('=' literal)? ('keep' 'last' axis)?
    ;
naming : '@' name '(' arguments ')' ;

precision : 'precision' '{' (precisionItem (',' precisionItem)* ','?)? '}' ;
precisionItem : selector ':' expression ;
selector : selectorPart ('.' selectorPart)* ;
selectorPart : (name | '*') ('[' subscripts ']')? ;

blockList : blockFactor ('++' blockFactor)* ;
blockFactor : blockItem ('*' postfix)? ;
blockItem
    : blockTerm                                        # templateItem
    | '[' (blockList (',' blockList)* ','?)? ']'       # bracketItem
    | '[' blockChoice 'for' name 'in' range ']'        # comprehensionItem
    ;
blockChoice
    : blockTerm                                                       # plainChoice
    | 'if' expression '{' blockChoice '}' 'else' '{' blockChoice '}'  # eitherChoice
    ;
blockTerm : name ('<' genericArgument (',' genericArgument)* ','? '>')? ('(' arguments? ')')? ;
genericArgument
    : blockTerm naming?                                # templateArgument
    | additive                                         # sizeArgument
    ;

functionDeclaration : 'fn' name generics? '(' formals? ')' '->' functionResult body ;
functionResult : results ;

formals : formal (',' formal)* ','? ;
formal : name ('[' (axis (',' axis)*)? ']')? (':' name)? ('=' expression)? ;
results
    : result
    | '(' result (',' result)* ')'
    ;
result : name ('[' (axis (',' axis)*)? ']')? (':' name)? ;
axis : additive ;

body
    : '=' expression
    | '{' statement* '}'
    ;

statement
    : target (',' target)* assignment expression                          # assign
    | 'if' expression '{' statement* '}' ('else' elseBranch)?             # ifStatement
    | (name ':')? 'for' name 'in' range '{' statement* '}'                # forStatement
    | 'while' expression ('max' postfix)? '{' statement* '}'              # whileStatement
    | 'scan' name name? '{' statement* '}'                                # scanStatement
    | 'break' ('to' name)?                                                # breakStatement
    | 'leaving' '{' statement* '}'                                        # leavingStatement
    ;
elseBranch
    : '{' statement* '}'
    | statement
    ;
assignment : '=' | '+=' | '*=' | 'max=' | 'min=' | '++=' ;
target : name ('[' (subscripts)? ']')? ;
range : additive '..' additive ;

expression
    : 'if' expression '{' expression '}' 'else' '{' expression '}'        # choice
    | 'if' expression '{' expression '}' 'else' expression                # choiceChain
    | disjunction                                                         # plainExpression
    ;
disjunction : conjunction ('or' conjunction)* ;
conjunction : negation ('and' negation)* ;
negation
    : 'not' negation
    | comparison
    ;
comparison : additive (comparator additive)? ;
comparator : '==' | '!=' | '<=' | '>=' | '<' | '>' ;
additive : multiplicative (('+' | '-' | '++') multiplicative)* ;
multiplicative : prefix (('*' | '/' | '%' | '@') prefix)* ;
prefix
    : '-' prefix                                                          # negative
    | reducer '[' binding (',' binding)* ']' multiplicative ('where' expression)?
                                                                          # reduction
    | 'route' postfix 'to' postfix 'by' name '(' arguments ')'            # route
    | power                                                               # plainPrefix
    ;
binding : name ('in' range)? ;
power : postfix ('^' prefix)? ;
postfix : primary suffix* ;
suffix
    : '[' subscripts ']' ('or' fallback)?                                 # subscriptSuffix
    | '(' arguments? ')'                                                  # callSuffix
    | '.' name                                                            # memberSuffix
    | 'using' name ('[' subscripts ']')?                                  # usingSuffix
    ;
fallback : literal | 'skip' ;
subscripts : subscript (',' subscript)* ;
subscript
    : name 'in' range
    | additive ('..' additive)?
    ;
arguments : argument (',' argument)* ','? ;
argument : (name ':')? expression ;

primary
    : literal                                                             # literalPrimary
    | STRING                                                              # textPrimary
    | name                                                                # namePrimary
    | reducer '(' arguments? ')'                                          # reducerCall
    | 'fn' '(' (name (',' name)*)? ')' '->' expression                    # lambda
    | '(' expression (',' expression)* ')'                                # parenthesis
    | '[' name 'where' expression ']'                                     # selection
    ;

literal : '-'? (INTEGER | FLOAT | 'true' | 'false' | 'infinity') ;

reducer
    : 'sum' | 'prod' | 'max' | 'min' | 'mean' | 'any' | 'all' | 'argmax' | 'logsumexp' | 'softmax'
    | 'cumsum' | 'cumprod' | 'cummax'
    ;

/** Words with a meaning in one place only remain usable as names. */
name
    : NAME | 'to' | 'by' | 'init' | 'optional' | 'keep' | 'last' | 'skip' | 'as' | 'using'
    | 'precision' | 'leaving' | 'with' | 'drop' | 'replace'
    ;

DOC : '///' ~[\r\n]* -> channel(HIDDEN) ;
COMMENT : '//' ~[\r\n]* -> channel(HIDDEN) ;
SPACE : [ \t\r\n]+ -> channel(HIDDEN) ;
FLOAT : DIGITS '.' [0-9] [0-9_]* EXPONENT? | DIGITS EXPONENT ;
INTEGER : DIGITS ;
fragment DIGITS : [0-9] [0-9_]* ;
fragment EXPONENT : [eE] [+-]? [0-9]+ ;
NAME : [\p{L}_] [\p{L}\p{Nd}_]* ;
STRING : '"' ~["\r\n]* '"' ;
UNKNOWN : . ;
